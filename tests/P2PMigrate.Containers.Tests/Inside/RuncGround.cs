using Microsoft.Extensions.Logging.Abstractions;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>runc, with a bundle per container.</summary>
internal sealed class RuncGround() : BundleGround("runc")
{
    public override IContainerRuntime Runtime { get; } = new RuncRuntime(new RuncOptions(), NullLogger.Instance);
}
