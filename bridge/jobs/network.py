"""Whether a folder lies on a network share, by what the system says of the mount it is on."""

import ctypes
import os
import sys
from pathlib import Path

import psutil

NETWORK_TYPES = frozenset(
    {
        "9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse.cephfs", "fuse.davfs2",
        "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.smbnetfs", "fuse.sshfs", "gfs2", "glusterfs",
        "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "smb2", "smb3", "smbfs",
        "vboxsf", "vmhgfs", "webdav",
    }
)  # fmt: skip
"""Names of file systems whose disk is another machine's (Linux: mount(8), `/proc/filesystems`; macOS: mount(8))."""

_DRIVE_REMOTE = 4
"""`GetDriveTypeW` of the Windows API."""


def is_on_network(folder: Path) -> bool:
    """Return whether `folder` (which exists) is on a network share.

    False where the system does not tell, and for the root itself: a machine that has no disk of its own.
    """
    real = Path(os.path.realpath(folder))
    return _is_remote_drive(real) if sys.platform == "win32" else mount_type(real) in NETWORK_TYPES


def mount_type(folder: Path) -> str:
    """Return the type of the file system mounted nearest above `folder`, in lower case; "" for the root's."""
    best, found = 0, ""
    for partition in psutil.disk_partitions(all=True):
        mount = Path(partition.mountpoint)
        if len(mount.parts) > 1 and len(mount.parts) >= best and folder.is_relative_to(mount):
            best, found = len(mount.parts), partition.fstype.lower()
    return found


def _is_remote_drive(folder: Path) -> bool:
    if folder.drive.startswith("\\\\"):
        return True
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - there is no such attribute on other systems
    return bool(kernel.GetDriveTypeW(f"{folder.drive}\\") == _DRIVE_REMOTE)
