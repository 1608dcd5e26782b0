using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Tests.Processes;

public sealed class ToolTests
{
    [Fact]
    public async Task A_tool_that_has_ended_leaves_no_pipes_to_the_garbage_collector()
    {
        const int Runs = 200;
        const int Others = 100; // of the tests beside this one

        int before = Pipes();
        for (int run = 0; run < Runs; run++)
            Assert.True((await Tool.RunAsync("true", [], default)).Succeeded);

        Assert.True(Pipes() < before + Others, $"{before} pipes were open and are {Pipes()}.");
    }

    private static int Pipes() => Directory.GetFiles("/proc/self/fd").Count(file => LinkOf(file)?.StartsWith("pipe:", StringComparison.Ordinal) == true);

    private static string? LinkOf(string file)
    {
        try
        {
            return new FileInfo(file).LinkTarget;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
