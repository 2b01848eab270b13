"""Vedette: an open, self-hosted implementation of the system behind the Microsoft Defender XDR APIs."""

__version__ = "0.1.0"
