"""The thin web service around the packaged model: HTTP in, the model's table out.

It loads `models:/<name>@<alias>` and calls it. It never decodes or preprocesses an image, and
imports no other room of this package than `errors`.
"""
