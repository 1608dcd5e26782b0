using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Runc;

namespace P2PMigrate.Containers.Crun;

/// <summary>Containers of crun, with CRIU and its library. Needs crun 1.28 or later and CRIU 4.1 or later.</summary>
public sealed class CrunRuntime : BundleRuntime
{
    /// <summary>A runtime that finds crun where <paramref name="options"/> say.</summary>
    public CrunRuntime(CrunOptions options, ILogger logger)
        : base(new CrunTool(options), logger)
    {
    }

    /// <summary>Is crun on this machine?</summary>
    public static bool IsInstalled => Tool.Exists("crun");
}
