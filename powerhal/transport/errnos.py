"""What an errno means on a wire and in a file tree (kernel Documentation/i2c/fault-codes.rst, sysfs-interface.rst)."""

from __future__ import annotations

import errno

from powerhal.errors import TransportError

COMMON: dict[int, str] = {
    errno.ENOENT: "absent",
    errno.ENODEV: "absent",
    errno.ENXIO: "absent",
    errno.ENOTDIR: "absent",
    errno.ESRCH: "absent",
    errno.ENODATA: "absent",  # hwmon: switched off by its enable attribute
    errno.EACCES: "denied",
    errno.EPERM: "denied",
    errno.EROFS: "denied",
    errno.EBUSY: "busy",
    errno.EAGAIN: "busy",
    errno.ETIMEDOUT: "timeout",
    errno.EBADMSG: "corrupt",
    errno.EPROTO: "corrupt",
    errno.EOPNOTSUPP: "refused",
    errno.ESHUTDOWN: "suspended",
}

I2C: dict[int, str] = COMMON | {
    errno.EREMOTEIO: "absent",  # bcm2835 and others: address not acknowledged
    errno.EIO: "absent",  # several adapters, and SMBus calls on virtio-i2c
    errno.EAGAIN: "arbitration",
}

HINTS: dict[str, str] = {
    "absent": "check the wiring, the supply and the address; `i2cdetect -l` lists the buses",
    "denied": "join the group that owns the device (i2c, dialout), or see `powerhal doctor`",
    "busy": "a kernel driver owns the chip: read it through hwmon, IIO or power_supply",
    "refused": "the adapter cannot do this kind of transfer",
}


def transport_error(what: str, cause: OSError, table: dict[int, str] = COMMON) -> TransportError:
    """TransportError for `what`, with the kind that `table` gives the errno of `cause`."""
    kind = table.get(cause.errno or 0, "io")
    reason = cause.strerror or str(cause)
    hint = HINTS.get(kind, "") if table is I2C else ""
    return TransportError(f"{what}: {reason}", kind=kind, errno=cause.errno, hint=hint)
