// Times Open Policy Agent as a Go library: a prepared query, the input parsed beforehand. Reads one JSON request on
// stdin ({policy, inputs, history, budgetMs}), answers {allowed, times} in microseconds.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

type request struct {
	Policy   string           `json:"policy"`
	Inputs   []map[string]any `json:"inputs"`
	History  []any            `json:"history"`
	BudgetMs int              `json:"budgetMs"`
}

type answers struct {
	Allowed []bool    `json:"allowed"`
	Times   []float64 `json:"times"`
}

func main() {
	var req request
	if err := json.NewDecoder(os.Stdin).Decode(&req); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	query, err := rego.New(rego.Query("data.field.allow"), rego.Module("field.rego", req.Policy)).PrepareForEval(ctx)
	if err != nil {
		log.Fatal(err)
	}
	history, err := ast.InterfaceToValue(req.History)
	if err != nil {
		log.Fatal(err)
	}
	inputs := make([]ast.Value, len(req.Inputs))
	for i, input := range req.Inputs {
		value, err := ast.InterfaceToValue(input)
		if err != nil {
			log.Fatal(err)
		}
		object := value.(ast.Object)
		object.Insert(ast.StringTerm("history"), ast.NewTerm(history))
		inputs[i] = object
	}
	decide := func(input ast.Value) bool {
		results, err := query.Eval(ctx, rego.EvalParsedInput(input))
		if err != nil {
			log.Fatal(err)
		}
		return results.Allowed()
	}
	var out answers
	for _, input := range inputs {
		out.Allowed = append(out.Allowed, decide(input))
	}
	end := time.Now().Add(time.Duration(req.BudgetMs) * time.Millisecond)
	for i := 0; i < 3 || (i < 2000 && time.Now().Before(end)); i++ {
		start := time.Now()
		decide(inputs[i%len(inputs)])
		out.Times = append(out.Times, float64(time.Since(start).Nanoseconds())/1000)
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		log.Fatal(err)
	}
}
