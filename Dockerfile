# The studio on a CPU. Videos and projects lie in /clips.
#
#   docker build -t talker .
#   docker run --rm -p 127.0.0.1:7860:7860 -v talker-clips:/clips -e TALKER_TOKEN=a-long-secret talker
#
# Without TALKER_TOKEN the studio refuses to start: the container's address is open to others.
FROM python:3.11-slim-bookworm

# g++ compiles the kernels for the machine that the container runs on; OpenCV and mediapipe load the others.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ libegl1 libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/talker
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY talker talker
# torch without CUDA, which would be gigabytes.
RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu \
    -c constraints.txt ".[studio,face]"

RUN useradd --create-home talker && mkdir /clips && chown talker:talker /clips
USER talker
WORKDIR /clips
VOLUME /clips
EXPOSE 7860
ENTRYPOINT ["talker"]
CMD ["studio", "/clips", "--host", "0.0.0.0", "--port", "7860"]
