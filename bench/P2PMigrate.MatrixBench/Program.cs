using P2PMigrate.Lab;
using P2PMigrate.MatrixBench;
using P2PMigrate.MatrixBench.Contenders;

using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    interrupted.Cancel();
};

try
{
    MatrixOptions options = MatrixOptions.Parse(args);
    IContender contender = options.Contender;
    if (contender.WhyNot is { } obstacle) throw new LabException(obstacle);
    var run = new MatrixRun(contender, options.Runs, options.Leg, Console.Error);
    var figures = new MatrixFigures(contender.Name, options.Leg, await run.RunAsync(options.Cells, options.AtATime, interrupted.Token));
    if (options.Adds && File.Exists(options.Out + ".json")) figures = MatrixFigures.Read(options.Out + ".json").With(figures);
    figures.Write(options.Out);
    Console.WriteLine(await File.ReadAllTextAsync(options.Out + ".md"));
    return 0;
}
catch (Exception failure) when (failure is LabException or OperationCanceledException)
{
    Console.Error.WriteLine(failure.Message);
    return 1;
}
