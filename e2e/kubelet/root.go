package kubelet

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
)

// root returns the directory of the container's root file system.
func (c *container) root() string { return filepath.Join(c.pod.dir(), "containers", c.spec.Name) }

// makeRoot creates the root file system, unless it exists.
func (c *container) makeRoot() error {
	if len(c.mounts) > 0 {
		return nil
	}
	image, err := c.pod.kubelet.image(c.spec.Image)
	if err != nil {
		return err
	}
	if err := c.populate(c.root(), image); err != nil {
		return errors.Join(err, c.unmount())
	}
	return nil
}

func (c *container) populate(root string, image Image) error {
	hosts := "127.0.0.1 localhost\n::1 localhost\n" + c.pod.ip() + " " + c.pod.hostname() + "\n"
	for _, alias := range c.pod.bound.Spec.HostAliases {
		hosts += alias.IP + " " + strings.Join(alias.Hostnames, " ") + "\n"
	}
	if err := writeFiles(root, []file{{path: "/etc/hosts", data: []byte(hosts), mode: 0o644}}); err != nil {
		return fmt.Errorf("write /etc/hosts: %w", err)
	}
	tmp := filepath.Join(root, "tmp")
	if err := errors.Join(os.MkdirAll(tmp, 0o777), os.Chmod(tmp, 0o777|os.ModeSticky)); err != nil {
		return fmt.Errorf("make /tmp: %w", err)
	}
	if err := c.mount(root, image.Executable, image.Path); err != nil {
		return err
	}
	if err := c.mountFiles(root, image.Files); err != nil {
		return err
	}
	mounts := slices.Clone(c.spec.VolumeMounts)
	slices.SortStableFunc(mounts, func(a, b corev1.VolumeMount) int { // parents first
		return strings.Count(filepath.Clean(a.MountPath), "/") - strings.Count(filepath.Clean(b.MountPath), "/")
	})
	for _, mount := range mounts {
		source := filepath.Join(c.pod.volumeDir(mount.Name), filepath.Clean("/"+mount.SubPath))
		if err := c.makeSubPath(source, mount); err != nil {
			return fmt.Errorf("make subPath %s of volume %s: %w", mount.SubPath, mount.Name, err)
		}
		if err := c.mount(root, source, mount.MountPath); err != nil {
			return err
		}
	}
	return nil
}

// mountFiles mounts files of this machine, read-only.
func (c *container) mountFiles(root string, files map[string]string) error {
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if err := c.mount(root, files[path], path); err != nil {
			return err
		}
		readOnly := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
		if err := unix.MountSetattr(unix.AT_FDCWD, filepath.Join(root, path), unix.AT_RECURSIVE, &readOnly); err != nil {
			return fmt.Errorf("make %s read-only: %w", path, err)
		}
	}
	return nil
}

// makeSubPath creates a directory if the path does not exist.
func (c *container) makeSubPath(source string, mount corev1.VolumeMount) error {
	if mount.SubPathExpr != "" {
		return errors.New("subPathExpr is not supported")
	}
	if _, err := os.Stat(source); mount.SubPath == "" || err == nil {
		return nil
	}
	return os.MkdirAll(source, 0o755)
}

// mount mounts a file or directory in the container.
func (c *container) mount(root, source, path string) error {
	target := filepath.Join(root, filepath.Clean("/"+path))
	info, err := os.Stat(source)
	if err != nil {
		return fmt.Errorf("mount %s: %w", path, err)
	}
	if info.IsDir() {
		err = os.MkdirAll(target, 0o755)
	} else if err = os.MkdirAll(filepath.Dir(target), 0o755); err == nil {
		var made *os.File
		if made, err = os.OpenFile(target, os.O_CREATE|os.O_RDONLY, 0o644); err == nil {
			err = made.Close()
		}
	}
	if err == nil {
		err = unix.Mount(source, target, "", unix.MS_BIND|unix.MS_REC, "")
	}
	if err != nil {
		return fmt.Errorf("mount %s: %w", path, err)
	}
	c.mounts = append(c.mounts, target)
	return nil
}

func (c *container) unmount() error {
	var errs []error
	for _, target := range slices.Backward(c.mounts) {
		if err := unix.Unmount(target, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			errs = append(errs, fmt.Errorf("unmount %s: %w", target, err))
		}
	}
	c.mounts = nil
	return errors.Join(errs...)
}
