# Ends with 0 if a server of `make stack` answers what it can only answer when it works; operations.env is its environment.
case "$1" in
postgresql) psql --no-psqlrc -c "select 1" postgres ;;
s3) rclone lsd s3: --retries=1 --low-level-retries=1 --timeout=5s ;;
mlflow) MLFLOW_AUTH_ADMIN_PASSWORD="$MLFLOW_ADMIN_PASSWORD" python deploy/images/ask_mlflow.py ;;
api) python -c "import urllib.request as u; u.urlopen('$API_URL/livez', timeout=5)" ;;
nginx) python -c "import urllib.request as u; u.urlopen('$NGINX_URL/livez', timeout=5)" ;;
esac
