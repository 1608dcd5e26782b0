namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>The table that <c>tests/conformance</c> puts together from what tests say: a row a content, a column a runtime.</summary>
internal static class ConformanceTable
{
    public const string Moves = "moves", Volumes = "volumes: copied, expected or left empty", MappedUsers = "mapped users (a user namespace of its own)";

    /// <summary>A cell: <see cref="Moves"/>, or the sentence that is said of it.</summary>
    public static void Tell(string content, string verdict) => TestContext.Current.TestOutputHelper?.WriteLine($"| {content} | {IGround.Current.Runtime.Name} | {verdict} |");
}
