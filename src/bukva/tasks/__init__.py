"""What is recognised: a package a task, none of which knows another; `table` names them all."""
