"""Stands in for an agent that speaks the Agent Client Protocol: a program of its own, which fails anywhere.

``acp_agent.py FOLDER``: it notes in FOLDER how often it was started (`started`) and every message it gets
(`received`), a JSON line each. `behaviour` there is a JSON object:

- `point` and `mode`: where and how it fails, one of `POINTS` and `MODES`; only in the first `processes` ones;
- `can_load`, `version`, `stop`, `usage`, `session`: what it answers; `error`: what answers the first `errors`
  prompts;
- `flood` and `halves`: so many characters, or one in two halves, before the text; `complain`: it prints;
- `waits`: it reads the answer to its request for permission before it goes on;
- `needs_login`: it refuses sessions until there is a file `login`.

It holds the FIFO `alive` open for writing, and so does a child of its in a session of its own: the FIFO ends
when both have ended. It writes a byte to it when it begins to stall.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

THOUGHT = "What is better?"
TOOL = "Search the web"
PIECES = ("Tea 🍵 ", "is warm, and it ", "wakes you ", "without haste. ", "Coffee only wakes you.")
TEXT = "".join(PIECES)

POINTS = ("start", "initialize", "session/new", "session/prompt", "thought", "tool", "text", "answer")
MODES = ("exit", "kill", "stall", "close", "garbage", "empty", "noise", "huge")

FOLDER = Path(sys.argv[1]) if __name__ == "__main__" else Path()
BEHAVIOUR: dict[str, object] = {}
ALIVE = -1


def note(about: str, what: object) -> None:
    with (FOLDER / about).open("a", encoding="utf-8") as file:
        file.write(json.dumps(what) + "\n")


def count(about: str) -> int:
    file = FOLDER / about
    return len(file.read_text("utf-8").splitlines()) if file.exists() else 0


def send(**message: object) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def stall() -> None:
    os.write(ALIVE, b"s")
    while True:
        signal.pause()


def pass_point(point: str) -> None:
    """Fail here if that is asked for."""
    if point != BEHAVIOUR.get("point") or count("started") > BEHAVIOUR.get("processes", 99):
        return
    match BEHAVIOUR["mode"]:
        case "exit":
            sys.stderr.write("Loading …\n\x1b[31mno more memory\x1b[0m\n")
            sys.stderr.flush()
            os._exit(3)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stall":
            stall()
        case "close":
            os.close(1)
            stall()
        case "garbage":
            sys.stdout.write("Welcome to the agent!\n[1, 2]\n" * 100)
        case "empty":
            sys.stdout.write("\n" * 200)
        case "noise":
            sys.stdout.write(
                'Welcome!\n\n[1]\n{"id": {}}\n{"method": 7}\n{"jsonrpc": "2.0", "id": 99, "error": 1}\n'
            )
            sys.stdout.write('{"method": "session/update", "params": []}\n' + "[" * 5000 + "\n")
        case "huge":
            sys.stdout.write("x" * (3 << 20) + "\n")
    sys.stdout.flush()


def update(session: object, session_update: str, **fields: object) -> None:
    params = {"sessionId": session, "update": {"sessionUpdate": session_update, **fields}}
    send(method="session/update", params=params)


def say(session: object, kind: str, text: str) -> None:
    update(session, kind, content={"type": "text", "text": text})


def ask_permission(session: object) -> None:
    options = [{"optionId": "yes", "kind": "allow_once"}, {"optionId": "no", "kind": "reject_once"}]
    params = {"sessionId": session, "toolCall": {"toolCallId": "1"}, "options": options}
    send(id="p1", method="session/request_permission", params=params)


def answer_prompt(number: object, params: dict[str, object]) -> None:
    session, prompt = params["sessionId"], json.dumps(params["prompt"], ensure_ascii=False)
    pass_point("session/prompt")
    prompts = (FOLDER / "received").read_text("utf-8").count('"session/prompt"')
    if (error := BEHAVIOUR.get("error")) and prompts <= BEHAVIOUR.get("errors", 99):
        send(id=number, error=error)
        return
    pass_point("thought")
    say(session, "agent_thought_chunk", THOUGHT)
    pass_point("tool")
    update(session, "tool_call", toolCallId="1", title=TOOL, kind="search")
    ask_permission(session)
    if BEHAVIOUR.get("waits"):
        note("received", json.loads(sys.stdin.readline()))
    update(session, "plan", entries=[])
    if BEHAVIOUR.get("halves"):
        for half in "\ud83c\udf75":
            say(session, "agent_message_chunk", half)
    for _ in range(0, BEHAVIOUR.get("flood", 0), 1024):
        say(session, "agent_message_chunk", "x" * 1024)
    tail = re.search(r"<tail>(.*)</tail>", prompt)
    rest = TEXT[TEXT.index(tail[1]) + len(tail[1]) :] if tail else TEXT
    for place, piece in enumerate(re.findall(r".{1,12}", rest)):
        if place == 3:
            pass_point("text")
        say(session, "agent_message_chunk", piece)
    pass_point("answer")
    result: dict[str, object] = {"stopReason": BEHAVIOUR.get("stop", "end_turn")}
    if usage := BEHAVIOUR.get("usage"):
        result["usage"] = usage
    send(id=number, result=result)


def answer(message: dict[str, object]) -> None:
    number, method = message.get("id"), message.get("method")
    if method in POINTS and method != "session/prompt":
        pass_point(str(method))
    match method:
        case "initialize":
            methods = [{"id": "web", "name": "Log in with a browser"}]
            can = {"loadSession": bool(BEHAVIOUR.get("can_load"))}
            version = BEHAVIOUR.get("version", 1)
            result = {"protocolVersion": version, "agentCapabilities": can, "authMethods": methods}
            send(id=number, result=result)
        case "session/new" | "session/load":
            if BEHAVIOUR.get("needs_login") and not (FOLDER / "login").exists():
                send(id=number, error={"code": -32000, "message": "Authentication required"})
                return
            if method == "session/load":
                say(message["params"]["sessionId"], "agent_message_chunk", "what was said before")
            session = BEHAVIOUR.get("session", f"s{count('received')}")
            send(id=number, result={"sessionId": session} if method == "session/new" else None)
        case "session/prompt":
            answer_prompt(number, message["params"])
        case None:
            pass
        case _ if number is not None:
            send(id=number, error={"code": -32601, "message": "Method not found"})


def main() -> None:
    global ALIVE
    ALIVE = os.open(FOLDER / "alive", os.O_WRONLY)
    note(
        "started",
        {"pid": os.getpid(), "folder": str(Path.cwd()), "own": [each.name for each in Path.cwd().iterdir()]},
    )
    file = FOLDER / "behaviour"
    BEHAVIOUR.update(json.loads(file.read_text("utf-8")) if file.exists() else {})
    waiting = (sys.executable, "-IS", "-c", "import signal\nwhile True: signal.pause()")
    nothing = subprocess.DEVNULL
    subprocess.Popen(waiting, stdin=nothing, stdout=nothing, start_new_session=True, pass_fds=[ALIVE])
    if BEHAVIOUR.get("complain"):
        own = [name for name in os.environ if name.startswith("DEBATE_TUI_")]
        print(
            "token", os.environ["MY_TOKEN"], "refused\nown variables:", len(own), file=sys.stderr, flush=True
        )
    pass_point("start")
    for line in sys.stdin:
        message = json.loads(line)
        note("received", message)
        answer(message)


if __name__ == "__main__":
    main()
