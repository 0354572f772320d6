"""An adb server of a made-up device: the part of the host protocol that measuring speaks.

There is no Android here; what the device runs is a shell of this machine, in a folder of its own.
"""

import asyncio
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERIAL = "emulator-5554"
DEVICE_FOLDER = "/data/local/tmp/"


class FakeServer:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commands: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = (await reader.readexactly(int(await reader.readexactly(4), 16))).decode()
                if request == "host:version":
                    writer.write(b"OKAY0004" + b"0029")
                elif request.startswith(("host:transport:", "host:tport:serial:")):
                    if not request.endswith(f":{SERIAL}"):
                        text = f"device '{request.rpartition(':')[2]}' not found".encode()
                        writer.write(b"FAIL" + f"{len(text):04x}".encode() + text)
                        break
                    writer.write(b"OKAY")
                    if ":tport:" in request:
                        writer.write(struct.pack("<Q", 1))
                    continue
                elif request.startswith("shell:"):
                    writer.write(b"OKAY" + await self._shell(request.removeprefix("shell:")))
                elif request == "sync:":
                    writer.write(b"OKAY")
                    await self._sync(reader, writer)
                else:
                    writer.write(b"FAIL0007unknown")
                break
            await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async def _shell(self, command: str) -> bytes:
        self.commands.append(command)
        here = command.replace(DEVICE_FOLDER, f"{self.folder}/")
        environment = os.environ | {"PATH": f"{self.folder}/bin:{os.environ['PATH']}"}
        process = await asyncio.create_subprocess_shell(
            here, stdout=asyncio.subprocess.PIPE, env=environment
        )
        output, _ = await process.communicate()
        return output.replace(f"{self.folder}/".encode(), DEVICE_FOLDER.encode())

    async def _sync(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        command, length = struct.unpack("<4sI", await reader.readexactly(8))
        path = (await reader.readexactly(length)).decode()
        if command == b"STAT":
            writer.write(b"STAT" + struct.pack("<III", 0, 0, 0))
            return
        assert command == b"SEND"
        name, _, mode = path.rpartition(",")
        content = b""
        while (part := struct.unpack("<4sI", await reader.readexactly(8)))[0] == b"DATA":
            content += await reader.readexactly(part[1])
        target = Path(name.replace(DEVICE_FOLDER, f"{self.folder}/"))
        target.write_bytes(content)
        target.chmod(int(mode) & 0o777)
        writer.write(b"OKAY" + struct.pack("<I", 0))


@contextmanager
def serve(folder: Path) -> Iterator[tuple[FakeServer, int]]:
    """The server and its port, in a thread of its own."""
    fake, loop = FakeServer(folder), asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(fake.serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield fake, server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        server.close()
        loop.close()
