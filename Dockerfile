# Four images, all of the versions that were tested (constraints.txt):
#
#     docker build -t bukva .                                  the service, without torch
#     docker build -t bukva-mlflow --target mlflow .           MLflow's server
#     docker build -t bukva-operations --target operations .   bucket, accounts, backup, restore
#     docker build -t bukva-training --target training .       the pipelines (TORCH=cpu, or cu130, ...)
#
# Packages are installed before the project's files are there: a change of those costs seconds.

FROM python:3.11.14-slim-bookworm AS base
ENV PATH=/opt/bukva/bin:$PATH \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    UV_CACHE_DIR=/var/cache/uv
RUN useradd --system --uid 10001 --create-home bukva

FROM base AS packages
WORKDIR /build
RUN python -m venv /opt/bukva && mkdir -p src/bukva && echo '__version__ = "0"' > src/bukva/__init__.py
COPY constraints.txt pyproject.toml README.md ./

FROM packages AS build-mlflow
RUN pip install --no-cache-dir -c constraints.txt mlflow flask-wtf boto3 "psycopg[binary]"

FROM packages AS build-operations
RUN pip install --no-cache-dir -c constraints.txt ".[stack]"
COPY src src
RUN pip install --no-cache-dir --no-deps --force-reinstall .

FROM packages AS build-training
ARG TORCH=cpu
RUN --mount=type=cache,target=/var/cache/uv \
    pip install --no-cache-dir -c constraints.txt uv && \
    uv pip install --python /opt/bukva --torch-backend="$TORCH" --compile-bytecode \
        -c constraints.txt ".[training,postgresql]"
COPY src src
RUN pip install --no-cache-dir --no-deps --force-reinstall .

FROM packages AS build-serving
RUN pip install --no-cache-dir -c constraints.txt ".[serving]"
COPY deploy/images/unused_by_serving.txt ./
RUN pip uninstall --yes --requirement unused_by_serving.txt && \
    find /opt/bukva/lib -type d -name tests -prune -exec rm -r {} + && \
    find /opt/bukva/lib -type d -path "*/mlflow/server/js" -prune -exec rm -r {} + && \
    find /opt/bukva/lib -type d -path "*/botocore/data/*" ! -path "*/data/s3*" ! -path "*/data/sts*" -prune -exec rm -r {} +
COPY src src
# pip is the last to go: the base image has its own.
RUN pip install --no-cache-dir --no-deps --force-reinstall . && pip uninstall --yes pip

FROM base AS mlflow
COPY --from=build-mlflow /opt/bukva /opt/bukva
COPY deploy/images/ask_mlflow.py /opt/bukva/ask_mlflow.py
WORKDIR /home/bukva
USER 10001
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "/opt/bukva/ask_mlflow.py"]
ENTRYPOINT ["mlflow", "server", "--host=0.0.0.0", "--port=5000"]

# Kedro knows a project by its pyproject.toml, and asks for its folder src: empty, as the package is installed.
FROM base AS operations
COPY --from=build-operations /opt/bukva /opt/bukva
WORKDIR /srv/bukva
COPY pyproject.toml ./
COPY conf conf
RUN mkdir src
ARG REVISION=
ENV BUKVA_REVISION=$REVISION \
    GIT_PYTHON_REFRESH=quiet
USER 10001
ENTRYPOINT ["python", "-m", "bukva"]

FROM base AS training
COPY --from=build-training /opt/bukva /opt/bukva
WORKDIR /srv/bukva
COPY pyproject.toml ./
COPY conf conf
RUN mkdir src data && chown bukva data
ARG REVISION=
# With a read-only file system data and /var/tmp are what can be written: temporary files are as large as the tables.
ENV BUKVA_REVISION=$REVISION \
    GIT_PYTHON_REFRESH=quiet \
    HOME=/srv/bukva/tasks/glyph \
    PYTHONPYCACHEPREFIX=/tmp/pycache \
    TMPDIR=/var/tmp
USER 10001
ENTRYPOINT ["kedro"]
CMD ["run", "--env=prod"]

# Last, so that it is what `docker build` makes when nothing is named.
FROM base AS serving
COPY --from=build-serving /opt/bukva /opt/bukva
ENV BUKVA_HOST=0.0.0.0 \
    BUKVA_PORT=8000
WORKDIR /home/bukva
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"BUKVA_PORT\"]}/readyz', timeout=2)"]
ENTRYPOINT ["python", "-m", "bukva.serving"]
