using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Several runtimes on one host.</summary>
public sealed class RuntimeSetTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [InsideFact]
    [Trait("Spec", "MIG-160")]
    public async Task A_container_is_found_by_its_name_and_one_of_two_must_be_chosen()
    {
        await using Workload workload = await Workload.CountingAsync(4);
        LxcGround lxc = new LxcGround();
        var set = new RuntimeSet([IGround.Current.Runtime, lxc.Runtime]);
        ContainerDescription found = await set.InspectAsync(workload.Name, null, Token);
        Assert.Equal("runc", found.Runtime);
        Assert.Same(IGround.Current.Runtime, set.Of(found.Runtime));
        Assert.Null(set.Of("podman"));

        ContainerException nobody = await Assert.ThrowsAsync<ContainerException>(() => set.InspectAsync("nobody", null, Token));
        Assert.Contains("runc, lxc", nobody.Message, StringComparison.Ordinal);

        try
        {
            await lxc.ConfigureAsync(workload.Name, ["sleep", "1000"], null);
            ContainerException both = await Assert.ThrowsAsync<ContainerException>(() => set.InspectAsync(workload.Name, null, Token));
            Assert.Contains("--runtime runc or --runtime lxc", both.Message, StringComparison.Ordinal);
        }
        finally
        {
            await Shell.RunAsync(lxc.Removal(workload.Name));
        }
    }
}
