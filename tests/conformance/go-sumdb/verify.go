// Verifies an exported ledger with Go's checksum-database code alone: golang.org/x/mod/sumdb note and tlog.
// Usage: verify DIRECTORY VKEY INDEX OLDER-SIZE. Prints what it found as JSON, or the first fault and exit 1.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// tiles reads hash tiles in the C2SP layout, which leaves out the height that Go's own paths carry.
type tiles struct{ directory string }

func (t tiles) Height() int { return height }

func (t tiles) ReadTiles(list []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range list {
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
		content, err := os.ReadFile(filepath.Join(t.directory, filepath.FromSlash(path)))
		if err != nil {
			return nil, err
		}
		data = append(data, content)
	}
	return data, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func main() {
	if len(os.Args) != 5 {
		fail("usage: verify DIRECTORY VKEY INDEX OLDER-SIZE")
	}
	directory := os.Args[1]
	tree, err := readCheckpoint(directory, os.Args[2])
	check(err, "checkpoint")
	reader := tlog.TileHashReader(tree, tiles{directory})
	leaves, err := readEntries(directory, tree.N)
	check(err, "entries")
	check(compareLeaves(reader, leaves), "leaves")
	check(rebuild(directory, tree, leaves), "tree")

	index, older := number(os.Args[3]), number(os.Args[4])
	inclusion, err := tlog.ProveRecord(tree.N, index, reader)
	check(err, "inclusion proof")
	check(tlog.CheckRecord(inclusion, tree.N, tree.Hash, index, leaves[index]), "inclusion")
	olderRoot, err := tlog.TreeHash(older, reader)
	check(err, "older root")
	consistency, err := tlog.ProveTree(tree.N, older, reader)
	check(err, "consistency proof")
	check(tlog.CheckTree(consistency, tree.N, tree.Hash, older, olderRoot), "consistency")

	text, err := json.Marshal(map[string]any{
		"size": tree.N, "root": tree.Hash, "olderRoot": olderRoot,
		"leaf": leaves[index], "inclusion": inclusion, "consistency": consistency,
	})
	check(err, "output")
	fmt.Println(string(text))
}

func readCheckpoint(directory, vkey string) (tlog.Tree, error) {
	source, err := os.ReadFile(filepath.Join(directory, "checkpoint"))
	if err != nil {
		return tlog.Tree{}, err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(source, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("malformed text, or another origin")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	hash, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(hash) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("malformed root")
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], hash)
	return tree, nil
}

// readEntries gives the leaf hash of every entry, from the bundles.
func readEntries(directory string, size int64) ([]tlog.Hash, error) {
	var leaves []tlog.Hash
	for start := int64(0); start < size; start += 1 << height {
		width := size - start
		if width > 1<<height {
			width = 1 << height
		}
		tile := tlog.Tile{H: height, L: -1, N: start >> height, W: int(width)}
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/data/", height), "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(directory, filepath.FromSlash(path)))
		if err != nil {
			return nil, err
		}
		for i := int64(0); i < width; i++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("torn entry %d", start+i)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			leaves = append(leaves, tlog.RecordHash(data[2:end]))
			data = data[end:]
		}
		if len(data) != 0 {
			return nil, fmt.Errorf("bytes after entry %d", start+width-1)
		}
	}
	return leaves, nil
}

// memory is a whole tree's hashes in Go's storage order.
type memory []tlog.Hash

func (m *memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, index := range indexes {
		hashes = append(hashes, (*m)[index])
	}
	return hashes, nil
}

// rebuild makes the tree again from the entries and compares its root and every hash tile. It does not lean on
// TileHashReader, which in this version leaves the first tiles after those of the tree hash unauthenticated
// when several subtrees of the tree hash share a tile.
func rebuild(directory string, tree tlog.Tree, leaves []tlog.Hash) error {
	var stored memory
	for i, leaf := range leaves {
		hashes, err := tlog.StoredHashesForRecordHash(int64(i), leaf, &stored)
		if err != nil {
			return err
		}
		stored = append(stored, hashes...)
	}
	root, err := tlog.TreeHash(tree.N, &stored)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("root mismatch")
	}
	for _, tile := range tlog.NewTiles(height, 0, tree.N) {
		// NewTiles lists every width that a partial tile has had: only the last is in an export.
		if now := tree.N>>uint(tile.L*height) - tile.N<<height; int64(tile.W) != now && tile.W != 1<<height {
			continue
		}
		want, err := tlog.ReadTileData(tile, &stored)
		if err != nil {
			return err
		}
		got, err := tiles{directory}.ReadTiles([]tlog.Tile{tile})
		if err != nil {
			return err
		}
		if !bytes.Equal(want, got[0]) {
			return fmt.Errorf("%s differs", tile.Path())
		}
	}
	return nil
}

// compareLeaves holds each entry's hash to the one that the signed tree has at its place.
func compareLeaves(reader tlog.HashReader, leaves []tlog.Hash) error {
	for start := 0; start < len(leaves); start += 1 << height {
		var indexes []int64
		for i := start; i < len(leaves) && i < start+1<<height; i++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, int64(i)))
		}
		hashes, err := reader.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for i, hash := range hashes {
			if hash != leaves[start+i] {
				return fmt.Errorf("entry %d is not the one in the tree", start+i)
			}
		}
	}
	return nil
}

func number(text string) int64 {
	value, err := strconv.ParseInt(text, 10, 64)
	check(err, "argument")
	return value
}

func check(err error, what string) {
	if err != nil {
		fail(what + ": " + err.Error())
	}
}

func fail(text string) {
	fmt.Fprintln(os.Stderr, text)
	os.Exit(1)
}
