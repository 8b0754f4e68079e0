#!/bin/sh
# Fill the templates with the variables that NGINX_ENVSUBST_FILTER admits.
set -eu
names=$(env | cut -d= -f1 | grep -E "$NGINX_ENVSUBST_FILTER" | sed 's/.*/${&}/' | tr '\n' ' ')
for file in /etc/nginx/templates/*.template; do
    envsubst "$names" < "$file" > "/etc/nginx/conf.d/$(basename "$file" .template)"
done
exec nginx -g "daemon off;"
