"""The thin web service around the recogniser: HTTP in, answers out.

It reads the version of the model that `models:/<name>@<alias>` names: data alone, once its digest
was checked. What is answered, and by what rules, is the task's to say: `bukva.tasks`.
"""
