# docker build -t tlslint . && docker run --rm -v "$PWD:/work:ro" tlslint
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY policies policies
COPY linter linter
RUN python -m venv /opt/tlslint && /opt/tlslint/bin/pip install --no-cache-dir --disable-pip-version-check .

FROM python:3.13-slim
COPY --from=build /opt/tlslint /opt/tlslint
ENV PATH=/opt/tlslint/bin:$PATH
# not root: nothing that tlslint reads needs more than the right to read it
USER 10001:10001
WORKDIR /work
ENTRYPOINT ["tlslint"]
