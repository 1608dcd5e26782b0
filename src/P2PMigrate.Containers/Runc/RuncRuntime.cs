using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Runc;

/// <summary>Containers of runc, with CRIU. Needs runc 1.1 or later and CRIU 4.1 or later.</summary>
public sealed class RuncRuntime : BundleRuntime
{
    /// <summary>A runtime that finds runc where <paramref name="options"/> say.</summary>
    public RuncRuntime(RuncOptions options, ILogger logger)
        : base(new RuncTool(options), logger)
    {
    }

    /// <summary>Is runc on this machine?</summary>
    public static bool IsInstalled => Tool.Exists("runc");
}
