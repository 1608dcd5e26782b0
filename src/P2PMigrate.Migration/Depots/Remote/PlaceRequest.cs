using System.Text;

namespace P2PMigrate.Migration.Depots.Remote;

/// <summary>What can be asked of a place; the numbers are those on the wire.</summary>
internal enum PlaceVerb : byte
{
    /// <summary><see cref="IObjectStore.TryCreateAsync"/>; the content follows.</summary>
    Create = 1,

    /// <summary><see cref="IObjectStore.TryReadAsync"/>.</summary>
    Read = 2,

    /// <summary><see cref="IObjectStore.ListAsync"/>.</summary>
    List = 3,

    /// <summary><see cref="IObjectStore.DeleteAsync"/>.</summary>
    Delete = 4,
}

/// <summary>One request of a place: what is to be done, and with which object or, for a list, prefix.</summary>
// spec: DEP-51
internal readonly record struct PlaceRequest(PlaceVerb Verb, string Name)
{
    /// <summary>Most bytes of a request without the content that may follow it.</summary>
    public const int LengthMax = 1 + ObjectName.LengthMax;

    /// <summary>The bytes of the request.</summary>
    public byte[] Encode() => [(byte)Verb, .. Encoding.ASCII.GetBytes(Name)];

    /// <summary>Reads a request; false for another verb, or a name that no object has.</summary>
    // spec: DEP-52
    public static bool TryDecode(ReadOnlySpan<byte> bytes, out PlaceRequest request)
    {
        request = default;
        if (bytes.IsEmpty || bytes.Length > LengthMax)
            return false;
        request = new PlaceRequest((PlaceVerb)bytes[0], Encoding.ASCII.GetString(bytes[1..]));
        return request.Verb switch
        {
            PlaceVerb.Create or PlaceVerb.Read or PlaceVerb.Delete => ObjectName.IsObject(request.Name),
            PlaceVerb.List => ObjectName.IsPrefix(request.Name),
            _ => false,
        };
    }
}
