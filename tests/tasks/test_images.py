import numpy as np
import torch
from torch.nn import functional as F

from foxnas_core.tasks.images import to_batch


def test_pixels_are_scaled_then_normalised():
    images = np.array([[[0, 255], [51, 102]]], dtype=np.uint8)
    batch = to_batch(images, 2, mean=0.5, std=0.25)
    assert batch.shape == (1, 1, 2, 2)
    assert torch.allclose(batch[0, 0], torch.tensor([[-2.0, 2.0], [-1.2, -0.4]]), atol=1e-6)


def test_colour_images_keep_their_channels_apart():
    images = np.zeros((3, 4, 4, 3), dtype=np.uint8)
    images[..., 2] = 255
    batch = to_batch(images, 4, mean=0.0, std=1.0)
    assert batch.shape == (3, 3, 4, 4)
    assert batch[:, 2].min() == 1 and batch[:, :2].max() == 0


def test_smaller_resolutions_average_over_what_they_leave_out():
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8), dtype=np.uint8)
    small = to_batch(images, 4, mean=0.0, std=1.0)
    pixels = torch.from_numpy(images / 255).float()[:, None]
    assert small.shape == (2, 1, 4, 4)
    assert torch.allclose(small.mean(), F.avg_pool2d(pixels, 2).mean(), atol=0.02)
    assert torch.allclose(
        to_batch(np.full((1, 8, 8), 77, np.uint8), 5, 0.0, 1.0), torch.tensor(77 / 255)
    )
