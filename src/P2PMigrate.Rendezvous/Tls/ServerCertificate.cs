using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Rendezvous;

/// <summary>Certificates for a server's TLS port.</summary>
public static class ServerCertificate
{
    private static readonly TimeSpan s_lifetime = TimeSpan.FromDays(3650);

    /// <summary>
    /// A new key and a certificate that nobody but itself has signed. That is enough: peers do not look at it.
    /// </summary>
    public static X509Certificate2 Make(DateTimeOffset now)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=p2pmigrate rendezvous", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(now.AddDays(-1), now + s_lifetime);
    }

    /// <summary>
    /// Reads a certificate and its key from a file in PEM form that has both. Throws <see cref="TunnelException"/> (<see cref="TunnelFailure.Local"/>)
    /// with the reason.
    /// </summary>
    public static X509Certificate2 Load(string file)
    {
        try
        {
            using X509Certificate2 fromPem = X509Certificate2.CreateFromPemFile(file);
            // Some platforms' TLS takes only keys that come out of a store.
            return X509CertificateLoader.LoadPkcs12(fromPem.Export(X509ContentType.Pkcs12), password: null);
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new TunnelException(TunnelFailure.Local, $"Cannot use {file} as a certificate with its key: {error.Message}", error);
        }
    }
}
