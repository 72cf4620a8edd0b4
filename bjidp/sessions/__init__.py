"""Browser sessions: made by a login, saved but never made by a request, ended for good."""
