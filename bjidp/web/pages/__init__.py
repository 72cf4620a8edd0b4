"""What each page must be told, one frozen class a page, and turning it into HTML.

Handlers build them, :class:`bjidp.web.pages.rendering.Renderer` renders them. Every class has a ``sample``, with which
a test renders every template, so that neither a field nor a text can be missing when a person sees the page.
"""
