"""Options of commands and functions, each declared once as a field of a dataclass.

    @dataclass(frozen=True, kw_only=True)
    class GreetOptions(Options):
        times: int = field(default=1, metadata=whole("Number of greetings.", low=1))

    @takes(GreetOptions)
    def greet(options: GreetOptions) -> None: ...

``greet(times=2)`` has the arguments of the dataclass, for mypy and editors too. The command
``--times 2``, the key ``times: 2`` of a file of options, the record in a run's ``run.yaml`` and
``docs/options.md`` come from the same field. A field without metadata exists in Python only.

    kinds  what an option may hold: whole numbers, times, choices, paths
    base   a set of options
    files  files of options, and the record of a run
    call   functions that take options as arguments

Nothing heavy is imported here: ``--help`` reads the declarations.
"""
