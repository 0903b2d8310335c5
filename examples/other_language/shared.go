package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// This file is spec/writers.md: how a file that others write too is locked and replaced.

// resolvePath resolves symbolic links, also of parts that do not exist yet (PS-WRT-001).
func resolvePath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fail("store", "%v", err)
	}
	at, rest := "/", strings.Split(path, "/")
	for links := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		if part == ".." {
			at = filepath.Dir(at)
		}
		if part == "" || part == "." || part == ".." {
			continue
		}
		next := filepath.Join(at, part)
		target, err := os.Readlink(next)
		if err != nil { // no link
			at = next
			continue
		}
		if links++; links > 40 {
			return "", fail("store", "%s: too many symbolic links", path)
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return at, nil
}

// lock opens and locks D/.N.lock (PS-WRT-002 to PS-WRT-005). Closing the file unlocks it.
func lock(path string, unsafe bool) (*os.File, error) {
	name := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".lock")
	for {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666) // Go adds O_CLOEXEC
		if errors.Is(err, fs.ErrPermission) {
			f, err = os.Open(name)
		}
		if err != nil {
			return nil, fail("store", "cannot open the lock file: %v", err)
		}
		for {
			err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
			if err != syscall.EINTR {
				break
			}
		}
		if err == syscall.ENOSYS || err == syscall.ENOLCK || err == syscall.EOPNOTSUPP {
			if unsafe {
				warn("%s cannot be locked; unsafe_writes is set, so writes may get lost", name)
				return f, nil
			}
			err = unsafeError(path, "locks do not work there")
		} else if err != nil {
			err = fail("store", "cannot lock %s: %v", name, err)
		}
		if err != nil {
			f.Close()
			return nil, err
		}
		opened, err1 := f.Stat()
		present, err2 := os.Stat(name)
		if err1 == nil && err2 == nil && os.SameFile(opened, present) {
			return f, nil
		}
		f.Close() // somebody replaced it, against PS-WRT-004
	}
}

func unsafeError(path, why string) error {
	return fail("unsafe", "%s: %s; choose a {record_identifier} path, report documents or a database, "+
		"or set unsafe_writes: true to write without protection", path, why)
}

// checkMount refuses mounts whose locks exclude nobody on other machines (PS-WRT-007).
func checkMount(folder string, unsafe bool) error {
	table, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil // no mount table
	}
	point, why := mountFault(string(table), folder)
	if why == "" {
		return nil
	}
	if unsafe {
		warn("the mount %s is %s; unsafe_writes is set, so writes may get lost", point, why)
		return nil
	}
	return unsafeError(folder, "the mount "+point+" is "+why)
}

// mountFault finds the mount of a folder and what is wrong with it.
func mountFault(table, folder string) (point, why string) {
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		p := unescapeMount(fields[1])
		if len(p) < len(point) || folder != p && p != "/" && !strings.HasPrefix(folder, p+"/") {
			continue
		}
		point, why = p, ""
		for _, option := range strings.Split(fields[3], ",") {
			switch fields[2] + ":" + option {
			case "nfs:nolock", "nfs:local_lock=all", "nfs:local_lock=flock",
				"nfs4:nolock", "nfs4:local_lock=all", "nfs4:local_lock=flock",
				"lustre:localflock", "lustre:noflock":
				why = fields[2] + " with the option " + option
			}
		}
	}
	return point, why
}

// unescapeMount decodes octal escapes such as \040.
func unescapeMount(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func temporary(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp")
}

// writeNew creates a file, which must not exist, with durable content.
func writeNew(name string, data []byte, like fs.FileInfo) (err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			os.Remove(name)
		}
	}()
	if like != nil { // as far as the system lets us (PS-WRT-013)
		if was, ok := like.Sys().(*syscall.Stat_t); ok {
			if f.Chown(int(was.Uid), int(was.Gid)) != nil {
				_ = f.Chown(-1, int(was.Gid))
			}
		}
		_ = f.Chmod(like.Mode())
	}
	if _, err = f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

// replace is the steps 6 to 9 of PS-WRT-009, done under the lock.
func replace(path string, data []byte, like fs.FileInfo) error {
	tmp := temporary(path)
	if err := writeNew(tmp, data, like); err != nil {
		return fail("store", "%s cannot be replaced: %v", path, err)
	}
	if err := os.Rename(tmp, path); err != nil {
		os.Remove(tmp)
		return fail("store", "%s cannot be replaced: %v", path, err)
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return fail("store", "%s: %v; the change may have been stored", path, err)
	}
	return nil
}

func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
