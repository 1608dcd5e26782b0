using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>runc, with a bundle per container.</summary>
internal sealed class RuncGround() : BundleGround(RuntimeName)
{
    public const string RuntimeName = "runc";

    public override IContainerRuntime Runtime { get; } = new RuncRuntime(new RuncOptions(), new OutputLogger());

    /// <summary>A runc in front of which a script runs.</summary>
    public static async Task<RuncRuntime> BehindAsync(string script)
    {
        await File.WriteAllTextAsync("/data/runc", $"#!/bin/bash\n{script}\nexec runc \"$@\"\n", TestContext.Current.CancellationToken);
        await Shell.RunAsync("chmod +x /data/runc");
        return new RuncRuntime(new RuncOptions { Runc = "/data/runc" }, new OutputLogger());
    }
}
