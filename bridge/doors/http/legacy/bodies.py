"""Bodies of the older systems: fields that they do not know are ignored there, and so here."""

from pydantic import BaseModel, ConfigDict


class LegacyBody(BaseModel):
    """A body with the documented fields."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)
