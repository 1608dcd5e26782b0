using Microsoft.Extensions.Logging;
using P2PMigrate.Migration;
using Serilog;
using Serilog.Events;
using Serilog.Extensions.Logging;

namespace P2PMigrate.Agent;

/// <summary>
/// The program's log: everything from Information up in the state directory's file (bounded, rolling), warnings on standard
/// error, or everything there with <c>--verbose</c>. Never keys, never memory contents.
/// </summary>
internal static class AgentLog
{
    private const long FileBytesMax = 16L << 20;
    private const int FilesKept = 4;
    private const string Template = "{Timestamp:yyyy-MM-dd HH:mm:ss.fff} {Level:u3} {SourceContext}: {Message:lj}{NewLine}{Exception}";

    /// <summary>
    /// Opens the log with a line that names the <paramref name="command"/>: the file is made by the first line, which must not be one that is written
    /// while a peer waits. Disposing the factory flushes it. Without a state directory only standard error is written.
    /// </summary>
    public static ILoggerFactory Open(StateDirectory? state, bool verbose, string command)
    {
        LoggerConfiguration configuration = new LoggerConfiguration()
            .MinimumLevel.Is(verbose ? LogEventLevel.Debug : LogEventLevel.Information)
            .WriteTo.Console(
                restrictedToMinimumLevel: verbose ? LogEventLevel.Debug : LogEventLevel.Error,
                outputTemplate: Template, standardErrorFromLevel: LogEventLevel.Verbose,
                formatProvider: System.Globalization.CultureInfo.InvariantCulture);
        if (state is not null)
        {
            configuration = configuration.WriteTo.File(
                Path.Combine(state.Root, "p2pmigrate.log"), outputTemplate: Template, fileSizeLimitBytes: FileBytesMax, rollOnFileSizeLimit: true,
                retainedFileCountLimit: FilesKept, shared: true, formatProvider: System.Globalization.CultureInfo.InvariantCulture);
        }
        Serilog.Core.Logger logger = configuration.CreateLogger();
        logger.ForContext(Serilog.Core.Constants.SourceContextPropertyName, "p2pmigrate").Information("The command {Command} begins.", command);
        return new SerilogLoggerFactory(logger, dispose: true);
    }
}
