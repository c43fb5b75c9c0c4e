"""An ONNX file of Gloss in ONNX Runtime, beside the same model as a folder in transformers. Run by hand:

    gloss export P.gloss --run R model && gloss export P.gloss --run R model.onnx
    python tests/peers/onnx.py model model.onnx

Prints the largest difference of the logits over a padded batch, and ends with 1 if it is over 1e-4. The last result stands
in result.txt beside this file. Wants torch, transformers and onnxruntime."""

import sys

import numpy as np
import onnxruntime
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForSequenceClassification

TEXTS = ["屏幕👍很清晰，电池不耐用。", "The room was clean but the staff were rude.", "好", "cafe\u0301 was awful, 但是便宜 " * 12]

folder, file = sys.argv[1:3]
tokenizer = Tokenizer.from_file(file.removesuffix(".onnx") + ".tokenizer.json")
tokenizer.enable_padding()
tokenizer.enable_truncation(128)
encoded = tokenizer.encode_batch(TEXTS)
ids = np.array([one.ids for one in encoded], dtype=np.int64)
mask = np.array([one.attention_mask for one in encoded], dtype=np.int64)
session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
(found,) = session.run(["logits"], {"input_ids": ids, "attention_mask": mask})
model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
with torch.no_grad():
    wanted = model(input_ids=torch.tensor(ids), attention_mask=torch.tensor(mask)).logits.numpy()
difference = float(np.abs(found - wanted).max())
classes = session.get_modelmeta().custom_metadata_map["classes"]
print(f"{'ok    ' if difference < 1e-4 else 'FAILED'} onnx: {found.shape} logits of {classes}, largest difference {difference:.1e}")
sys.exit(difference >= 1e-4)
