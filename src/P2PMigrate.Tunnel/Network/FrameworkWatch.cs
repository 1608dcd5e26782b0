using System.Net.NetworkInformation;

namespace P2PMigrate.Tunnel.Network;

/// <summary>The framework's notices about addresses, where there is no netlink.</summary>
internal sealed class FrameworkWatch : INetworkWatch
{
    private Action? _changed;

    /// <inheritdoc/>
    public void Start(Action changed)
    {
        _changed = changed;
        NetworkChange.NetworkAddressChanged += HandleChanged;
    }

    /// <inheritdoc/>
    public void Dispose() => NetworkChange.NetworkAddressChanged -= HandleChanged;

    private void HandleChanged(object? sender, EventArgs arguments) => _changed?.Invoke();
}
