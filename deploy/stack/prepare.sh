# Makes what the next servers of `make stack` need of the one that answers now: what services of compose do that end.
set -eu
case "$1" in
postgresql)
    psql --no-psqlrc -tAc "select datname from pg_database" postgres | grep -qx optuna ||
        psql --no-psqlrc -v ON_ERROR_STOP=1 -f deploy/postgresql/databases.sql postgres
    ;;
s3) rclone mkdir "s3:$S3_BUCKET" ;;
mlflow) python -m bukva stack make-users ;;
esac
