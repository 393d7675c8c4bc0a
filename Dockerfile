# Untested: written where no container could be built. See docs/serving.md.
FROM python:3.11-slim
ARG PIP_ARGS=""
RUN useradd --create-home actrec
WORKDIR /home/actrec/app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY conf conf
COPY actrec actrec
RUN pip install --no-cache-dir --constraint constraints.txt ${PIP_ARGS} '.[openvino,serve,train,video]'
USER actrec
ENV ACTREC_HOST=0.0.0.0 YOLO_OFFLINE=true PYTHONUNBUFFERED=1
EXPOSE 8000
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz')"]
ENTRYPOINT ["python", "-m", "actrec.serve", "model=/model"]
