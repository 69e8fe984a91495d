// A client of Envoy's external authorization made of Envoy's own protocol definitions (go-control-plane) and grpc-go:
// asks the decision point at the address in the first argument each check that stands on a line of its input, as the JSON
// form of CheckRequest, and prints each CheckResponse in its JSON form.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"time"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
)

func main() {
	connection, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if len(os.Args) > 2 {
		ctx = metadata.AppendToOutgoingContext(ctx, "x-interlock-key", os.Args[2])
	}
	health, err := grpc_health_v1.NewHealthClient(connection).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	check(err)
	fmt.Println(health.Status.String())
	client := auth.NewAuthorizationClient(connection)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var request auth.CheckRequest
		check(protojson.Unmarshal(lines.Bytes(), &request))
		response, err := client.Check(ctx, &request)
		check(err)
		text, err := protojson.Marshal(response)
		check(err)
		fmt.Println(string(text))
	}
	check(lines.Err())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
