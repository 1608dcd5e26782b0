using System.Globalization;
using P2PMigrate.Lab;
using P2PMigrate.MatrixBench.Contenders;

namespace P2PMigrate.MatrixBench;

/// <summary>What the command line asks for.</summary>
internal sealed record MatrixOptions
{
    public const string Usage =
        """
        usage: bench/matrix [--runs N] [--kinds KIND,KIND…] [--cells CELL,CELL…] [--leg delay=15ms] [--with p2pmigrate|hyperdht]
                            [--at-a-time N] [--out NAME] [--add] [--agent DIRECTORY]
          --kinds  every pair of these (default: all); --cells  these alone: KIND:KIND, KIND@one-lan, KIND@apart
          --leg    how far the rendezvous host is from everybody; --add  keep the cells that NAME.json has already
        """;

    public int Runs { get; init; } = 10;

    public IReadOnlyList<Cell> Cells { get; init; } = Cell.All(NatKind.All);

    public string? Leg { get; init; }

    public string With { get; init; } = "p2pmigrate";

    public int AtATime { get; init; } = 1;

    public string Out { get; init; } = "artifacts/bench/matrix";

    public bool Adds { get; init; }

    public string Agent { get; init; } = "artifacts/agent";

    public IContender Contender => With switch
    {
        "p2pmigrate" => new Agent(Path.GetFullPath(Agent)),
        "hyperdht" => new HyperDht(),
        _ => throw new LabException($"`{With}` connects nobody here: p2pmigrate or hyperdht"),
    };

    /// <summary>Throws a <see cref="LabException"/> that says what is wrong.</summary>
    public static MatrixOptions Parse(string[] arguments)
    {
        var options = new MatrixOptions();
        for (int i = 0; i < arguments.Length; i++)
        {
            string Value() => ++i < arguments.Length ? arguments[i] : throw new LabException($"{arguments[i - 1]} needs a value\n{Usage}");
            options = arguments[i] switch
            {
                "--runs" => options with { Runs = Number(Value()) },
                "--kinds" => options with { Cells = Cell.All([.. Value().Split(',').Select(NatKind.Parse)]) },
                "--cells" => options with { Cells = [.. Value().Split(',').Select(Cell.Parse)] },
                "--leg" => options with { Leg = Value() },
                "--with" => options with { With = Value() },
                "--at-a-time" => options with { AtATime = Number(Value()) },
                "--out" => options with { Out = Value() },
                "--add" => options with { Adds = true },
                "--agent" => options with { Agent = Value() },
                _ => throw new LabException($"`{arguments[i]}` is not understood\n{Usage}"),
            };
        }

        return options;
    }

    private static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0 ? number : throw new LabException($"`{text}` is no number of at least one");
}
