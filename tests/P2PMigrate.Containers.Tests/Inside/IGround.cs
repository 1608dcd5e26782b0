using System.Text.Json.Nodes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>
/// A container runtime as the tests use it beside the code under test: makes its containers and looks at them. <see cref="HostedTests"/> says in the environment which one a test is about.
/// </summary>
internal interface IGround
{
    /// <summary>Names the runtime in the environment of test programs that run inside the host.</summary>
    const string Variable = "P2PMIGRATE_TEST_RUNTIME";

    static IGround Current { get; } = Environment.GetEnvironmentVariable(Variable) switch
    {
        CrunGround.RuntimeName => new CrunGround(),
        LxcGround.RuntimeName => new LxcGround(),
        PodmanGround.RuntimeName => new PodmanGround(),
        TreeGround.RuntimeName => new TreeGround(),
        _ => new RuncGround(),
    };

    IContainerRuntime Runtime { get; }

    /// <summary>The program, as <see cref="Containers.Processes.OwnedProcesses"/> shows it, that dumps beside CRIU; CRIU itself where none does.</summary>
    string DumpingProgram { get; }

    /// <summary>A name that no container has.</summary>
    string NewName() => "t" + Guid.NewGuid().ToString("N")[..8];

    /// <summary>The name of a container's copy on the same host.</summary>
    string MovedNameOf(string name) => name + "-moved";

    /// <summary>The cgroup of the container of this name.</summary>
    string CgroupOf(string name);

    /// <summary>Configures a container whose root file system is /data/NAME/rootfs, and that sees <paramref name="volumes"/> of the host.</summary>
    Task ConfigureAsync(string name, string[] arguments, Action<JsonObject>? configure, params (string Source, string Destination)[] volumes);

    /// <summary>Starts what was configured in /data/BUNDLE as the container <paramref name="name"/>.</summary>
    Task StartAsync(string name, string bundle, string streams);

    /// <summary><c>running</c>, <c>paused</c>, or <c>gone</c>.</summary>
    Task<string> StatusAsync(string name);

    Task<int> InitPidAsync(string name);

    /// <summary>Is there anything of the container of this name besides its files, in words; empty when not.</summary>
    string RemainsOf(string name);

    /// <summary>Shell words that start a command in the container from outside, and leave it there.</summary>
    string Attachment(string name, string command);

    /// <summary>Shell words that kill and forget a container, if it is there.</summary>
    string Removal(string name);
}
