"""Where torch computes, if it does: asked before torch is imported, and said in the certificate."""


def require_device(device: str | None) -> None:
    """Raise OptionError unless the device is there; None, for numpy, always is, and does not import torch."""
    if device is not None:
        from quadlens.certificates.on_torch.device import device_named

        device_named(device)


def evaluated_by(arithmetic: str, device: str | None) -> str:
    """Return how rounding was handled, in words, with the device that torch computed on, if it did."""
    return arithmetic if device is None else f"{arithmetic}; evaluated by torch on {device}"
