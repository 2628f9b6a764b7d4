//! Lambda on a laptop: Runtime API, pools of processes, Invoke, event source mappings.
