"""Any server that speaks OpenAI's chat completions and sees pictures: Ollama, LM Studio, llama.cpp, a cloud."""

from tigertag.engines.openai.engine import OpenAIEngine
from tigertag.engines.openai.options import OpenAIOptions

__all__ = ["OpenAIEngine", "OpenAIOptions"]
