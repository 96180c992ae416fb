// Owns the text of a new host.toml. host.example.toml is this text with a token and a port that are plain examples;
// a test compares them, and both with the schema.

export interface ConfigTextValues {
  /** 64 hex digits. */
  token: string;
  port: number;
}

/** Settings that stand at their default are commented out, without a space after the `#`. */
export function configText({ token, port }: ConfigTextValues): string {
  return `# Configuration of heddle. A line that starts with "#" is a comment; the settings among them show the default
# or an example, and count once the "#" is gone. "heddle reload" takes over the token, agents' "enabled", the log
# level, "announce" and "host_name"; the rest needs a restart.

# The secret that phones present. Whoever has it controls the agents on this computer: keep this file to yourself.
# "heddle rotate" replaces it.
token = "${token}"

[endpoint]
# TCP port that phones dial. Chosen free when this file was made; paired phones know it, so it stays.
port = ${port}
# IP addresses to listen on. "0.0.0.0": every IPv4 network; "::": every IPv6 network; "127.0.0.1": this computer only.
#listen = ["0.0.0.0"]
# Further addresses for phones to try first: a port forwarded by your router, a name, a tunnel on a server.
#announce = ["/ip4/203.0.113.7/tcp/41234", "/dns4/home.example.org/tcp/41234"]
# What phones call this computer. Without it: the computer's own name.
#host_name = "workbench"

[log]
# trace, debug, info, warn or error. Only trace shows what you and your agents say to each other.
#level = "info"

[agents.codex]
#enabled = true
# Name of the program, looked up on your PATH, or its absolute path.
#command = "codex"
# Control socket of a codex app-server that runs already. Without it heddle looks for one and else starts its own.
#server = "/home/me/.codex/app-server-control/app-server-control.sock"

[agents.claude]
#enabled = true
# Name of the program, looked up on your PATH, or its absolute path.
#command = "claude"
# Whether a phone may choose that claude acts without asking ("full access", approval policy "never").
#allow_full_access = false

[agents.opencode]
#enabled = true
# Name of the program, looked up on your PATH, or its absolute path.
#command = "opencode"
# Whether a phone may choose that opencode acts without asking ("full access", approval policy "never").
#allow_full_access = false
# An "opencode serve" that runs already, and its password. Without it heddle starts one of its own.
#server = "http://127.0.0.1:4096"
#server_password = "what OPENCODE_SERVER_PASSWORD was when it was started"
# A model server of your own (vLLM, llama.cpp, Ollama: anything that is OpenAI-compatible) to run opencode on, instead of
# what opencode's own configuration says. That file stays as it is. "api_key_env" names the environment variable that
# holds the key, if the server wants one; "agent" is "build" or "plan", which changes nothing on disk.
#[agents.opencode.engine]
#base_url = "http://127.0.0.1:8080/v1"
#model = "qwen3-coder"
#api_key_env = "MY_SERVER_KEY"
#context_window = 131072
#agent = "build"

[agents.pi]
#enabled = true
# Name of the program, looked up on your PATH, or its absolute path.
#command = "pi"
# Whether a phone may choose that pi acts without asking ("full access", approval policy "never").
#allow_full_access = false
# A model server of your own, as above.
#[agents.pi.engine]
#base_url = "http://127.0.0.1:8080/v1"
#model = "qwen3-coder"
#api_key_env = "MY_SERVER_KEY"
#context_window = 131072

# A scripted agent to try heddle with. true: always offered; false: never; without it: only when there is no other.
[agents.demo]
#enabled = true

[limits]
# Connections that are open at once, from 1 to 10000.
#max_connections = 100
# Streams that are open at once on one connection, from 1 to 1000.
#max_streams_per_connection = 64
# Streams that have not said yet who they are, over all connections, from 1 to 10000.
#max_pending_handshakes = 64
# How long a session waits for a phone that is away, from 1 to 86400; longer while a turn runs or a question is open.
#detached_session_seconds = 600
`;
}
