// Reads a log that Interlock wrote, with Go's own sumdb/tlog and sumdb/note, and writes one that Interlock reads.
//
//	go run . verify DIR VKEY    checkpoints `checkpoint.N`, tiles and proofs in DIR
//	go run . write DIR          a log of 300 entries in DIR, and its key on the output
//	go run . bench N BYTES      what it costs to take in an entry, for bench/evidence.ts
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A file is read as tlog-tiles lays it out: Go's own layout has the height in it.
type files struct{ dir string }

func (f files) Height() int                     { return 8 }
func (f files) SaveTiles([]tlog.Tile, [][]byte) {}
func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(f.dir, path(tile)))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func path(tile tlog.Tile) string {
	p := strings.TrimPrefix(tile.Path(), "tile/8/")
	if rest, ok := strings.CutPrefix(p, "data/"); ok {
		p = "entries/" + rest
	}
	return "tile/" + p
}

type proofs struct {
	Inclusion []struct {
		Index, Size int64
		Leaf        []byte
		Proof       [][]byte
	}
	Consistency []struct {
		From, To int64
		Proof    [][]byte
	}
}

func hashes(list [][]byte) []tlog.Hash {
	out := make([]tlog.Hash, len(list))
	for i, each := range list {
		copy(out[i][:], each)
	}
	return out
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func verify(dir, vkey string) {
	verifier, err := note.NewVerifier(vkey)
	check(err)
	names, err := filepath.Glob(filepath.Join(dir, "checkpoint.*"))
	check(err)
	roots := map[int64]tlog.Hash{0: {}}
	for _, name := range names {
		source, err := os.ReadFile(name)
		check(err)
		opened, err := note.Open(source, note.VerifierList(verifier))
		check(err)
		lines := strings.Split(opened.Text, "\n")
		size, err := strconv.ParseInt(lines[1], 10, 64)
		check(err)
		root, err := base64.StdEncoding.DecodeString(lines[2])
		check(err)
		tree := tlog.Tree{N: size}
		copy(tree.Hash[:], root)
		roots[size] = tree.Hash
		if size == 0 {
			continue
		}
		// Every leaf, through tiles that the reader holds against the root.
		reader := tlog.TileHashReader(tree, files{dir})
		var indexes []int64
		for i := int64(0); i < size; i++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, i))
		}
		_, err = reader.ReadHashes(indexes)
		check(err)
	}
	var given proofs
	data, err := os.ReadFile(filepath.Join(dir, "proofs.json"))
	check(err)
	check(json.Unmarshal(data, &given))
	for _, p := range given.Inclusion {
		var leaf tlog.Hash
		copy(leaf[:], p.Leaf)
		check(tlog.CheckRecord(hashes(p.Proof), p.Size, roots[p.Size], p.Index, leaf))
	}
	for _, p := range given.Consistency {
		check(tlog.CheckTree(hashes(p.Proof), p.To, roots[p.To], p.From, roots[p.From]))
	}
	fmt.Printf("%d checkpoints, %d inclusion proofs, %d consistency proofs\n", len(names), len(given.Inclusion), len(given.Consistency))
}

func write(dir string) {
	secret, vkey, err := note.GenerateKey(rand.Reader, "go.example/log")
	check(err)
	signer, err := note.NewSigner(secret)
	check(err)
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, i := range indexes {
			out = append(out, stored[i])
		}
		return out, nil
	})
	const size = 300
	var entries bytes.Buffer
	for i := int64(0); i < size; i++ {
		entry := []byte(fmt.Sprintf("go entry %d", i))
		added, err := tlog.StoredHashes(i, entry, reader)
		check(err)
		stored = append(stored, added...)
		if i == 256 {
			save(dir, "tile/entries/000", entries.Bytes())
			entries.Reset()
		}
		entries.Write([]byte{byte(len(entry) >> 8), byte(len(entry))})
		entries.Write(entry)
	}
	save(dir, "tile/entries/001.p/44", entries.Bytes())
	for _, tile := range tlog.NewTiles(8, 0, size) {
		data, err := tlog.ReadTileData(tile, reader)
		check(err)
		save(dir, path(tile), data)
	}
	root, err := tlog.TreeHash(size, reader)
	check(err)
	text := fmt.Sprintf("go.example/log\n%d\n%s\n", size, base64.StdEncoding.EncodeToString(root[:]))
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	check(err)
	save(dir, "checkpoint", signed)
	var made proofs
	for i := int64(0); i < size; i += 7 {
		proof, err := tlog.ProveRecord(size, i, reader)
		check(err)
		leaf := tlog.RecordHash([]byte(fmt.Sprintf("go entry %d", i)))
		made.Inclusion = append(made.Inclusion, struct {
			Index, Size int64
			Leaf        []byte
			Proof       [][]byte
		}{i, size, leaf[:], raw(proof)})
	}
	for from := int64(1); from <= size; from += 13 {
		proof, err := tlog.ProveTree(size, from, reader)
		check(err)
		made.Consistency = append(made.Consistency, struct {
			From, To int64
			Proof    [][]byte
		}{from, size, raw(proof)})
	}
	data, err := json.Marshal(made)
	check(err)
	save(dir, "proofs.json", data)
	fmt.Print(vkey)
}

func raw(list []tlog.Hash) [][]byte {
	out := make([][]byte, 0, len(list))
	for i := range list {
		out = append(out, list[i][:])
	}
	return out
}

func save(dir, name string, data []byte) {
	file := filepath.Join(dir, name)
	check(os.MkdirAll(filepath.Dir(file), 0o755))
	check(os.WriteFile(file, data, 0o644))
}

func bench(count, length string) {
	n, err := strconv.Atoi(count)
	check(err)
	size, err := strconv.Atoi(length)
	check(err)
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, 0, len(indexes))
		for _, i := range indexes {
			out = append(out, stored[i])
		}
		return out, nil
	})
	entry := make([]byte, size)
	begun := time.Now()
	for i := 0; i < n; i++ {
		entry[0], entry[1], entry[2] = byte(i>>16), byte(i>>8), byte(i)
		added, err := tlog.StoredHashes(int64(i), entry, reader)
		check(err)
		stored = append(stored, added...)
	}
	fmt.Printf("%.2f µs", float64(time.Since(begun).Microseconds())/float64(n))
}

func main() {
	switch os.Args[1] {
	case "bench":
		bench(os.Args[2], os.Args[3])
	case "verify":
		verify(os.Args[2], os.Args[3])
	case "write":
		write(os.Args[2])
	}
}
