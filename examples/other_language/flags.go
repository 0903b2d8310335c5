package main

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// This file is what other programs see of a status: its flag (PS-YAML-036 to PS-YAML-041, PS-WRT-015).

// flag is one flag of a record.
type flag struct {
	status, name string
	link         string    // where a link leads
	at           time.Time // when a regular file was written
}

// flagFolder is where the flags are.
func (s *Store) flagFolder(path string) (string, error) {
	if s.flags == "" {
		return filepath.Dir(path), nil
	}
	return resolvePath(s.flags)
}

// flagTemporary is T of PS-WRT-015.
func flagTemporary(path, flags string) string {
	return filepath.Join(flags, fmt.Sprintf(".%08x.tmp", crc32.ChecksumIEEE([]byte(path))))
}

// flags finds the flags of a record by their exact names (PS-YAML-037), once for each operation.
func (t *tree) flags(id string) ([]flag, error) {
	if found, ok := t.seen[id]; ok {
		return found, nil
	}
	folder, err := t.s.flagFolder(t.path)
	if err != nil {
		return nil, err
	}
	var found []flag
	for _, status := range t.s.statuses {
		name := flagName(t.s.namespace, id, status.ID)
		if name == "" {
			continue
		}
		info, err := os.Lstat(filepath.Join(folder, name))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			continue
		} else if err != nil {
			return nil, fail("store", "%v", err)
		}
		f := flag{status: status.ID, name: name, at: info.ModTime().UTC()}
		if info.Mode()&fs.ModeSymlink != 0 {
			if f.link, err = os.Readlink(filepath.Join(folder, name)); err != nil {
				continue // another program has changed it meanwhile
			}
		} else if !info.Mode().IsRegular() {
			continue
		}
		found = append(found, f)
	}
	t.seen[id] = found
	return found, nil
}

// statusFolder is the folder that our flags lead to.
func statusFolder(path string) string {
	name := strings.ReplaceAll(filepath.Base(path), "%", "%25")
	return filepath.Join(filepath.Dir(path), "."+name+".status")
}

// ofOther tells whether a flag belongs to another results file, which is there.
func (t *tree) ofOther(folder, id string, f flag) bool {
	if f.link == "" || filepath.IsAbs(f.link) {
		return false
	}
	place, name := filepath.Split(filepath.Dir(filepath.Join(folder, f.link)))
	name, isFolder := strings.CutSuffix(name, ".status")
	name, hasDot := strings.CutPrefix(name, ".")
	if !isFolder || !hasDot {
		return false
	}
	name = strings.ReplaceAll(strings.ReplaceAll(name, "%2F", "/"), "%25", "%")
	path, err := resolvePath(filepath.Join(place, strings.ReplaceAll(name, "{record_identifier}", fileName(id))))
	if err != nil || path == t.path {
		return false
	}
	_, err = os.Stat(path)
	return err == nil
}

// mirror makes the flag of a record that of a status, "" for none (PS-WRT-015, PS-WRT-016).
func (t *tree) mirror(id, status string, found []flag) error {
	folder, err := t.s.flagFolder(t.path)
	if err != nil {
		return err
	}
	at := func(name string) string { return filepath.Join(folder, name) }
	var old []string
	wanted, taken, right := "", false, false
	link, err := filepath.Rel(folder, filepath.Join(statusFolder(t.path), status))
	if err != nil {
		return fail("store", "%v", err)
	}
	if status != "" {
		wanted = flagName(t.s.namespace, id, status)
	}
	for _, f := range found {
		switch {
		case t.ofOther(folder, id, f):
			taken = taken || f.name == wanted
		case f.name == wanted:
			right = f.link == link
		default:
			old = append(old, f.name)
		}
	}
	if wanted != "" && !taken && !right {
		tmp := flagTemporary(t.path, folder)
		err := makeFlag(tmp, statusFolder(t.path), status, link)
		if err == nil && len(old) > 0 {
			if err = os.Rename(tmp, at(old[0])); err == nil {
				err = os.Rename(at(old[0]), at(wanted))
			}
			old = old[1:]
		} else if err == nil {
			err = os.Rename(tmp, at(wanted))
		}
		if err != nil {
			os.Remove(tmp)
			return fail("store", "the flag %s cannot be written: %v", wanted, err)
		}
	}
	for _, name := range old {
		if err := os.Remove(at(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fail("store", "the flag %s cannot be removed: %v", name, err)
		}
	}
	return nil
}

// makeFlag makes T: a link to the file of the status, or where there can be none a regular file.
func makeFlag(tmp, folder, status, link string) error {
	if err := os.MkdirAll(filepath.Dir(tmp), 0o777); err != nil {
		return err
	}
	err := putStatus(folder, status)
	if err == nil {
		err = os.Symlink(link, tmp)
	}
	if err != nil {
		warn("flags in %s cannot be links: %v", filepath.Dir(tmp), err)
		return writeNew(tmp, []byte(status), nil)
	}
	return nil
}

// putStatus makes the file of a status in the status folder, which may not be a link.
func putStatus(folder, status string) error {
	if err := os.Mkdir(folder, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if info, err := os.Lstat(folder); err != nil || !info.IsDir() {
		return fmt.Errorf("%s is no folder", folder)
	}
	name := filepath.Join(folder, status)
	if info, err := os.Lstat(name); err == nil && info.Mode().IsRegular() {
		if data, err := os.ReadFile(name); err == nil && string(data) == status {
			return nil
		}
	}
	tmp := filepath.Join(folder, fmt.Sprintf(".%d.tmp", os.Getpid()))
	if err := writeNew(tmp, []byte(status), nil); err != nil {
		return err
	}
	return os.Rename(tmp, name)
}
