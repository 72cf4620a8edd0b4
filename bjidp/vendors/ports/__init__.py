"""What the features ask of outside services.

Owns the capabilities (small and orthogonal; one client may have several), the facts they are asked about and the
closed sets of answers. A "no" is a result; silence, nonsense or a refusal to serve us is
:class:`bjidp.errors.VendorUnavailable`, never a verdict. Called by the features; implemented by one folder per service
beside this one.
"""
