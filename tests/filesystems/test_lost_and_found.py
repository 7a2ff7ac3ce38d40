"""What mkfs puts at the top of an ext4 disk is the file system's, and takes no part."""

from pathlib import Path

from tests.filesystems.program import Pair
from tests.trees.mounts import call, mounted, need


def test_the_lost_and_found_of_a_disk_is_neither_copied_nor_removed(tmp_path: Path) -> None:
    need("mkfs.ext4")
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(16 << 20)
    call("mkfs.ext4", "-q", "-F", image)
    pair = Pair(tmp_path)
    (pair.left / "f").write_text("f")
    (pair.left / "sub" / "lost+found").mkdir(parents=True)
    (pair.left / "sub" / "lost+found" / "mine").write_text("mine")
    with mounted(image, tmp_path / "right", "-o", "loop"):
        pair.run("apply", str(pair.left), str(pair.right), "--mode", "mirror", "--yes")
        assert (pair.right / "lost+found").is_dir()
        assert (pair.right / "sub" / "lost+found" / "mine").read_text() == "mine"
        pair.run("apply", str(pair.left), str(pair.right), "--yes")
        assert not (pair.left / "lost+found").exists()
        assert pair.run("diff", str(pair.left), str(pair.right), "--exit-code").code == 0
