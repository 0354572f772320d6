# docker build -t foxnas-studio . && docker run -p 8501:8501 -v "$PWD/studies:/studies" foxnas-studio
FROM python:3.11-slim-bookworm

RUN useradd --create-home --uid 1000 foxnas \
    && install --directory --owner=foxnas /studies
WORKDIR /src
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
RUN pip install --no-cache-dir --no-deps . && rm -rf /src/*

USER foxnas
WORKDIR /home/foxnas
VOLUME /studies
EXPOSE 8501
HEALTHCHECK CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://localhost:8501/_stcore/health', timeout=5)"]
# Within a container, localhost is the container's alone.
CMD ["foxnas", "app", "--studies", "/studies", "--address", "0.0.0.0"]
