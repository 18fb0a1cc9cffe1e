"""A convolutional network for 8x8 images."""

from torch import Tensor, nn


def block(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )


class DigitNet(nn.Module):
    """Images (batch, 1, 8, 8) to one score per digit (batch, 10).

    Without dropout: a GPU would draw its random numbers, and they depend on the GPU's model.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            block(1, 32),
            block(32, 64),
            nn.MaxPool2d(2),
            block(64, 64),
            nn.Flatten(),
            nn.Linear(64 * 4 * 4, 10),
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)
