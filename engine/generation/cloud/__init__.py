"""Generators at cloud services, behind the same protocol as those on this machine.

`wire` is how a service is asked (retries, time limits, cancel, bounded downloads), `huggingface` and `replicate` what
each is asked, and `backend` the generator that jobs see. Consent, keys and licences are `engine.models.cloud`'s.
"""
