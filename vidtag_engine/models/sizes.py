"""Bounded numbers of the networks' configurations: a damaged or hostile one must not ask for all of memory."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Size = Annotated[int, Field(gt=0, le=65_536)]
LayerCount = Annotated[int, Field(ge=0, le=64)]
Share = Annotated[float, Field(ge=0, lt=1)]
Norm = Annotated[float, Field(ge=0, le=1e4)]
