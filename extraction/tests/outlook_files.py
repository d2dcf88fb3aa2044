"""Outlook's files made from their specification ([MS-CFB], [MS-OXMSG]), since no real one may be in the repository."""

import struct
from collections.abc import Sequence

Tree = dict[str, "bytes | Tree"]

SECTOR, MINI_SECTOR, CUTOFF = 512, 64, 4096
END, FREE, FAT_SECTOR = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
TOP, EMBEDDED, PART = 32, 24, 8  # bytes before the properties of a message, of one inside another, of a part


def outlook_message(
    properties: dict[int, str | bytes | int], parts: Sequence[tuple[dict[int, str | bytes | int], Tree | None]] = ()
) -> bytes:
    """A `.msg` file. `parts` are its attachments: properties, and the tree of a message for one that holds one."""
    return compound_file(message_tree(properties, parts, TOP))


def message_tree(properties, parts=(), header=EMBEDDED) -> Tree:
    tree = _properties(properties, header)
    for number, (given, message) in enumerate(parts):
        part = _properties(given | ({0x3701: None} if message else {}), PART)
        tree[f"__attach_version1.0_#{number:08X}"] = part | ({"__substg1.0_3701000D": message} if message else {})
    return tree


def _properties(properties, header: int) -> Tree:
    entries, tree = b"", {}
    for number, value in properties.items():
        kind, content = _encoded(value)
        entries += struct.pack("<HHI", kind, number, 6) + (
            content if kind == 3 else struct.pack("<II", len(content), 0)
        )
        if kind in (0x1F, 0x102):
            tree[f"__substg1.0_{number:04X}{kind:04X}"] = content
    return tree | {"__properties_version1.0": bytes(header) + entries}


def _encoded(value) -> tuple[int, bytes]:
    match value:
        case str():
            return 0x1F, value.encode("utf-16-le")
        case bytes():
            return 0x102, value
        case int():
            return 3, struct.pack("<q", value)
    return 0x0D, b""


def compound_file(tree: Tree) -> bytes:
    """A Compound File of version 3 that holds these streams and storages."""
    entries: list[list] = [["Root Entry", 5, None, b""]]
    _enter(tree, entries, 0)
    file = _File()
    for entry in entries[1:]:
        if entry[1] == 2:
            entry += [file.put_small(entry[3]) if len(entry[3]) < CUTOFF else file.put(entry[3]), len(entry[3])]
        else:
            entry += [0, 0]
    entries[0] += [file.put(file.small), len(file.small)]
    small_fat = file.put(b"".join(struct.pack("<I", number) for number in file.small_fat))
    directory = file.put(b"".join(_directory_entry(number, entries) for number in range(len(entries))))
    return file.whole(directory, small_fat)


def _enter(tree: Tree, entries: list[list], parent: int) -> None:
    """`[name, type, siblings and child, content]` of everything in a storage; siblings form one chain to the right."""
    names = sorted(tree, key=lambda name: (len(name), name.upper()))
    numbers = range(len(entries), len(entries) + len(names))
    for name in names:
        is_stream = isinstance(tree[name], bytes)
        entries.append([name, 2 if is_stream else 1, None, tree[name] if is_stream else b""])
    for number, following in zip(numbers, [*numbers[1:], FREE], strict=True):
        entries[number][2] = [following, FREE]
    if names:
        entries[parent][2] = [(entries[parent][2] or [FREE])[0], numbers[0]]
    for number, name in zip(numbers, names, strict=True):
        if not isinstance(tree[name], bytes):
            _enter(tree[name], entries, number)


def _directory_entry(number: int, entries: list[list]) -> bytes:
    name, kind, links, _, start, size = entries[number]
    right, child = links or (FREE, FREE)
    encoded = name.encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII36xIQ", encoded, len(encoded) + 2, kind, 1, FREE, right, child, start if size else END, size
    )


class _File:
    def __init__(self) -> None:
        self.sectors: list[bytes] = []
        self.fat: list[int] = []
        self.small = b""
        self.small_fat: list[int] = []

    def put(self, content: bytes) -> int:
        start = len(self.sectors)
        pieces = [content[at : at + SECTOR].ljust(SECTOR, b"\xff") for at in range(0, len(content), SECTOR)]
        self.sectors += pieces
        self.fat += [*range(start + 1, start + len(pieces)), END][: len(pieces)]
        return start if pieces else END

    def put_small(self, content: bytes) -> int:
        start, count = len(self.small_fat), -(-len(content) // MINI_SECTOR)
        self.small += content.ljust(count * MINI_SECTOR, b"\0")
        self.small_fat += [*range(start + 1, start + count), END][:count]
        return start if count else END

    def whole(self, directory: int, small_fat: int) -> bytes:
        count = 1
        while count * SECTOR // 4 < len(self.sectors) + count:
            count += 1
        places = [len(self.sectors) + number for number in range(count)]
        fat = [*self.fat, *[FAT_SECTOR] * count]
        fat += [FREE] * (count * SECTOR // 4 - len(fat))
        header = struct.pack(
            "<8s16xHHHHH6xIIIIIIIIII",
            bytes.fromhex("d0cf11e0a1b11ae1"),
            *(0x3E, 3, 0xFFFE, 9, 6),
            *(0, count, directory, 0, CUTOFF),
            *(small_fat, -(-len(self.small_fat) * 4 // SECTOR), END, 0),
            places[0],
        )
        header += b"".join(struct.pack("<I", place) for place in places[1:])
        return header.ljust(SECTOR, b"\xff") + b"".join(self.sectors) + struct.pack(f"<{len(fat)}I", *fat)
