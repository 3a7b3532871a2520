# The segmentation server. `docker compose up --build` runs it with a key; compose.yaml says how.
#
# On a CPU:  docker build --tag ar-copy-paste .
# On a GPU:  docker build --tag ar-copy-paste --build-arg EXTRAS=server,torch .
#            docker run --gpus all ..., with the arguments of CMD and `--checkpoint`: weights of BASNet from a volume
#
# One stage is enough: every dependency is a wheel, so a build leaves nothing behind that the server does not need.
FROM python:3.11-slim

ARG EXTRAS=server
# The first user of most machines has this number too, and so can give the server a file that only they may read.
RUN useradd --uid 1000 --create-home server

# None of our packages is here yet, so this layer is the dependencies alone, and a change of the code keeps it.
WORKDIR /app
COPY pyproject.toml LICENSE NOTICE ./
RUN pip install --no-cache-dir ".[${EXTRAS}]" && rm -r build ./*.egg-info

COPY protocol protocol
COPY http_server http_server
COPY segmentation_server segmentation_server
USER 1000

EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
ENTRYPOINT ["python", "-m", "segmentation_server"]
# Without a key the server refuses to listen to other machines.
CMD ["--host", "0.0.0.0", "--api-key-file", "/run/secrets/api_key"]
